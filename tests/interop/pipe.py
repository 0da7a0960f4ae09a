# SPDX-License-Identifier: MPL-2.0
# A client as people write it in Python: what comes on standard input goes to HOST PORT, what comes from there is
# printed. The end of input closes the sending half only.
import socket
import sys
import threading

connection = socket.create_connection((sys.argv[1], sys.argv[2]))


def show():
    for line in connection.makefile("r", encoding="utf-8", newline="\n"):
        print(line, end="", flush=True)


reader = threading.Thread(target=show)
reader.start()
for line in sys.stdin:
    connection.sendall(line.encode("utf-8"))
connection.shutdown(socket.SHUT_WR)
reader.join()
