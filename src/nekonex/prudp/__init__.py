"""PRUDP, the reliable datagram transport of NEX, without I/O.

``ServerEndpoint`` and ``ClientEndpoint`` take datagrams and times and give back
datagrams, events and the next deadline. ``nekonex.prudp.udp`` puts a socket
under them.
"""
