# SPDX-License-Identifier: MPL-2.0
"""A ZeroMQ program in #room that also serves @mill: sends COUNT numbered messages to the room, answers each job with
what it says, and prints what it reads. Logs in again when its broker does not know it. Ends when somebody sends it
`stop`.

    trio.py ENDPOINT NAME COUNT
"""
import sys
import zmq

endpoint, name, count = sys.argv[1], sys.argv[2].encode(), int(sys.argv[3])
peer = zmq.Context().socket(zmq.DEALER)
peer.setsockopt(zmq.IMMEDIATE, 1)
peer.connect(endpoint)


def say(*frames):
    peer.send_multipart(frames)


def enter():
    say(b'LOGIN', name)
    say(b'JOIN', b'#room')
    say(b'SERVE', b'@mill', b'4')
    say(b'PING', b'go')


sent = 0
enter()
while True:
    if not peer.poll(1000):
        say(b'PING', b'go')  # a broker that was restarted answers: unknown-peer
        continue
    verb, *rest = peer.recv_multipart()
    if verb == b'MESSAGE':
        sender, destination, payload = rest
        if destination == name and payload == b'stop':
            say(b'LEAVE')
        else:
            print(sender.decode(), payload.decode(), flush=True)
    elif verb == b'JOB':
        say(b'REPLY', rest[0], rest[3])
    elif verb == b'PING':
        say(b'PONG', *rest)
    elif verb == b'PONG' and sent < count:
        for sent in range(sent + 1, sent + 11):
            say(b'SEND', b'#room', b'%d' % sent)
        say(b'PING', b'go')
    elif verb == b'ERROR' and rest[0] == b'unknown-peer':
        print('unknown', flush=True)
        enter()
    elif verb == b'OK' and rest[0] == b'JOIN':
        print('joined', flush=True)
    elif verb == b'BYE':
        print('sent', sent, flush=True)
        break
