# An echo server on Mojolicious.
#
#     perl mojolicious_echo.pl PORT

use Mojolicious::Lite -signatures;
use Mojo::Server::Daemon;

# 64 MiB: four times the largest message sent here.
use constant LARGEST_MESSAGE => 64 << 20;

websocket '/' => sub ($c) {
    my $socket = $c->tx;
    $socket->with_compression;
    $socket->with_protocols('culvert.echo');
    $socket->max_websocket_size(LARGEST_MESSAGE);
    # A WebSocket may be silent for longer than the server's 30 seconds.
    $c->inactivity_timeout(0);
    # Both kinds as bytes: nothing is decoded and encoded again on the way.
    $c->on(text   => sub ($c, $bytes) { $c->send({text   => $bytes}) });
    $c->on(binary => sub ($c, $bytes) { $c->send({binary => $bytes}) });
};

app->mode('production');
app->log->level('fatal');
app->secrets(['not used: no session here']);
Mojo::Server::Daemon->new(app => app, listen => ["http://127.0.0.1:$ARGV[0]"], silent => 1)->run;
