#!/bin/sh
# /etc/letsencrypt/renewal-hooks/deploy/nekonex
set -eu
for file in fullchain.pem privkey.pem; do
    install -m 0640 -o root -g nekonex "$RENEWED_LINEAGE/$file" /etc/nekonex/
done
systemctl restart nekonex
