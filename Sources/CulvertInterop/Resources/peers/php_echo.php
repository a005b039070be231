<?php
// An echo server in plain PHP, on stream_socket_server.
//
//     php php_echo.php PORT
declare(strict_types=1);

require __DIR__ . '/php_echo_conversation.php';

// 256 KiB at a time: large messages in few rounds.
const CHUNK = 256 << 10;

/** A conversation on its socket. */
final class Client
{
    private readonly Conversation $conversation;
    private int $written = 0;

    public function __construct(public readonly mixed $stream)
    {
        $this->conversation = new Conversation();
        stream_set_blocking($stream, false);
        stream_set_read_buffer($stream, 0);
        stream_set_chunk_size($stream, CHUNK);
    }

    /** A client that does not read is not read from. */
    public function wantsToRead(): bool
    {
        return !$this->conversation->ended && !$this->wantsToWrite();
    }

    public function wantsToWrite(): bool
    {
        return $this->written < strlen($this->conversation->output);
    }

    /** False when the client is gone. */
    public function read(): bool
    {
        $bytes = @fread($this->stream, CHUNK);
        if ($bytes === false || ($bytes === '' && feof($this->stream))) {
            return false;
        }
        $this->conversation->receive($bytes);
        return $this->write();
    }

    /** False when the client is gone, or the conversation is over and all of it written. */
    public function write(): bool
    {
        while ($this->wantsToWrite()) {
            $count = @fwrite($this->stream, substr($this->conversation->output, $this->written, CHUNK));
            if ($count === false) {
                return false;
            }
            if ($count === 0) {
                return true;
            }
            $this->written += $count;
        }
        $this->conversation->output = '';
        $this->written = 0;
        return !$this->conversation->ended;
    }
}

// A message is held as it came, unmasked, inflated and deflated.
ini_set('memory_limit', '1G');
$listener = @stream_socket_server("tcp://127.0.0.1:$argv[1]", $number, $reason);
if ($listener === false) {
    fwrite(STDERR, "$reason\n");
    exit(1);
}
stream_set_blocking($listener, false);

$clients = [];
while (true) {
    $readable = [$listener];
    $writable = [];
    foreach ($clients as $client) {
        if ($client->wantsToRead()) {
            $readable[] = $client->stream;
        }
        if ($client->wantsToWrite()) {
            $writable[] = $client->stream;
        }
    }
    $urgent = null;
    if (@stream_select($readable, $writable, $urgent, null) === false) {
        continue;
    }
    foreach ($readable as $stream) {
        if ($stream === $listener) {
            $accepted = @stream_socket_accept($listener, 0);
            if ($accepted !== false) {
                $clients[(int) $accepted] = new Client($accepted);
            }
        } elseif (!$clients[(int) $stream]->read()) {
            unset($clients[(int) $stream]);
            fclose($stream);
        }
    }
    foreach ($writable as $stream) {
        if (isset($clients[(int) $stream]) && !$clients[(int) $stream]->write()) {
            unset($clients[(int) $stream]);
            fclose($stream);
        }
    }
}
