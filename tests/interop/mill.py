# SPDX-License-Identifier: MPL-2.0
"""Clients of a service at several gateways: 20 serve @mill, 6 ask it. One that serves is cut off now and then, and
comes back. Ends when its input does and every request has ended; with 0 if each was answered once, with its own text,
or its asker was told. Says how many were answered now and then.

    mill.py KILL_SECONDS HOST:PORT...
"""
import selectors, socket, struct, sys, time

KILL_S = float(sys.argv[1])
GATEWAYS = [(place.rsplit(':', 1)[0], int(place.rsplit(':', 1)[1])) for place in sys.argv[2:]]
SERVERS, ASKERS, OPEN, SAY = 20, 6, 4, 200
DEADLINE_S = 60

selector = selectors.DefaultSelector()
answered = 0


class Client:
    def __init__(self, name, number, first):
        self.rest = b''
        self.socket = socket.create_connection(GATEWAYS[number % len(GATEWAYS)])
        selector.register(self.socket, selectors.EVENT_READ, self)
        self.say(name + '\n' + first)

    def say(self, text):
        self.socket.sendall(text.encode())

    def close(self):
        selector.unregister(self.socket)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.socket.close()

    def read(self):
        data = self.socket.recv(65536)
        if not data:
            sys.exit('the gateway closed a connection')
        *lines, self.rest = (self.rest + data).split(b'\n')
        for line in lines:
            self.on_line(line.decode())


class Server(Client):
    def __init__(self, number, life):
        super().__init__(f'miller-{number}-{life}', number, '/serve @mill 3\n')
        self.number, self.life = number, life

    def on_line(self, line):
        if line.startswith('from '):
            head, text = line.split(': ', 1)
            self.say(f'/reply {head.split()[-1]}: {text}\n')


class Asker(Client):
    def __init__(self, number):
        super().__init__(f'asker-{number}', number, '')
        self.number, self.sent, self.open, self.faults, self.told = number, 0, set(), [], 0

    def ask(self):
        while len(self.open) < OPEN:
            self.sent += 1
            self.open.add(f'r{self.sent}')
            self.say(f'/request r{self.sent} 30s @mill: {self.number}/r{self.sent}\n')

    def on_line(self, line):
        global answered
        words = line.split(' ')
        label = words[-1] if words[0] == 'error' else words[1]
        if label not in self.open or (words[0] == 'ok' and words[2] != f'{self.number}/{label}'):
            self.faults.append(line)
        self.open.discard(label)
        if words[0] == 'ok':
            answered += 1
            if answered % SAY == 0:
                print(f'answered={answered}', file=sys.stderr, flush=True)
        else:
            self.told += 1
            print(line, file=sys.stderr, flush=True)


servers = [Server(number, 0) for number in range(SERVERS)]
askers = [Asker(number) for number in range(ASKERS)]
selector.register(sys.stdin, selectors.EVENT_READ, None)
asking, next_kill, killed, deadline = True, time.monotonic() + KILL_S, 0, None
while asking or any(asker.open for asker in askers):
    for key, _ in selector.select(0.05):
        if key.data:
            key.data.read()
        elif not sys.stdin.buffer.read1(100):
            selector.unregister(sys.stdin)
            asking, deadline = False, time.monotonic() + DEADLINE_S
    now = time.monotonic()
    if asking:
        for asker in askers:
            asker.ask()
    elif now > deadline:
        break
    if now >= next_kill:
        victim = servers[killed % SERVERS]
        victim.close()
        servers[killed % SERVERS] = Server(victim.number, victim.life + 1)
        next_kill, killed = now + KILL_S, killed + 1
faults = [line for asker in askers for line in asker.faults]
silent = sum(len(asker.open) for asker in askers)
print(f'answered={answered} asked={sum(a.sent for a in askers)} told={sum(a.told for a in askers)} '
      f'killed={killed} silent={silent} faults={faults[:5]}', file=sys.stderr, flush=True)
sys.exit(1 if faults or silent or killed == 0 else 0)
