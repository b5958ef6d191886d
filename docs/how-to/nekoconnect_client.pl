#!/usr/bin/perl
# perl nekoconnect_client.pl HOST PORT GREETER TEXT; the password is in NEKOCONNECT_PASSWORD.
use strict;
use warnings;
use Digest::SHA qw(hmac_sha256_hex);
use IO::Socket::IP;

my ($host, $port, $greeter, $text) = @ARGV;
my $password = $ENV{NEKOCONNECT_PASSWORD} // '';
my $socket = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port) or die "no server: $@\n";

sub send_frame {
    my ($greeter, $op, $random, $data, $hash) = @_;
    my $op_bytes = pack('Q>', $op) =~ s/^\0{1,7}//r;
    my @lengths = map { length } $op_bytes, $greeter, $data, $hash, $random;
    my $size = 12;
    $size += $_ for @lengths;
    print {$socket} pack('NCCNCC', $size, @lengths), $greeter, $op_bytes, $random, $data, $hash;
}

sub read_bytes {
    my ($size) = @_;
    my $bytes = '';
    while (length $bytes < $size) {
        read($socket, $bytes, $size - length $bytes, length $bytes) or die "the server is gone\n";
    }
    return $bytes;
}

sub read_frame {
    my ($size, @lengths) = unpack 'NCCNCC', read_bytes(12);
    die "a frame of $size bytes\n" if $size > 2_000_000;
    my %frame;
    @frame{qw(greeter op random data hash)} = map { read_bytes($_) } @lengths[1, 0, 4, 2, 3];
    $frame{op} = unpack 'Q>', substr("\0" x 8 . $frame{op}, -8);
    return \%frame;
}

open my $urandom, '<:raw', '/dev/urandom' or die "no random numbers: $!\n";
read $urandom, my $bytes, 16;
my $random = unpack 'H*', $bytes;
send_frame('auth', 200, $random, chr 200, hmac_sha256_hex($random, $password));
my $welcome = read_frame();
die "not let in: $welcome->{op}\n"
    if $welcome->{greeter} ne 'nekoconnect-server' or $welcome->{op} != 200;
die "the server does not know the password\n"
    if $welcome->{hash} ne hmac_sha256_hex($random, "nekoconnect-server\0$password");

send_frame($greeter, 1, '', $text, hmac_sha256_hex($welcome->{random}, $password));
my $answer = read_frame();
die "status $answer->{op}\n" if $answer->{greeter} eq 'nekoconnect-server';
print "$answer->{greeter} $answer->{op} $answer->{data}\n";
