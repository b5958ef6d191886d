"""What is between players: friends, blocks, invitations, and who could not reach whom."""
