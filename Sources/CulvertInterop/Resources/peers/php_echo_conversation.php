<?php
// The server's side of RFC 6455 for php_echo.php.
declare(strict_types=1);

require __DIR__ . '/php_echo_compression.php';

const SUBPROTOCOL = 'culvert.echo';
// 64 MiB: four times the largest message sent here.
const LARGEST_MESSAGE = 64 << 20;
const LARGEST_HEAD = 64 << 10;

const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** Ends the conversation; the code is a close code. */
final class Violation extends RuntimeException
{
}

/** One client: bytes in by receive(), bytes out in $output; no I/O here. */
final class Conversation
{
    public string $output = '';
    /** No byte is read any more; the connection ends when the output is written. */
    public bool $ended = false;

    private string $input = '';
    private bool $upgraded = false;
    private ?Compression $compression = null;
    /** The message under way: its opcode (null between messages), whether it is compressed, its payload. */
    private ?int $opcode = null;
    private bool $compressed = false;
    private string $payload = '';

    public function receive(string $bytes): void
    {
        $this->input .= $bytes;
        try {
            if (!$this->upgraded && !$this->upgrade()) {
                return;
            }
            $offset = 0;
            while (!$this->ended && $this->frame($offset)) {
            }
            $this->input = substr($this->input, $offset);
        } catch (Violation $violation) {
            $this->send(CLOSE, pack('n', $violation->getCode()) . $violation->getMessage());
            $this->ended = true;
        }
    }

    private function upgrade(): bool
    {
        $end = strpos($this->input, "\r\n\r\n");
        if ($end === false) {
            if (strlen($this->input) > LARGEST_HEAD) {
                $this->refuse('431 Request Header Fields Too Large');
            }
            return false;
        }
        $lines = explode("\r\n", substr($this->input, 0, $end));
        $this->input = substr($this->input, $end + 4);
        $request = array_shift($lines);
        $fields = [];
        foreach ($lines as $line) {
            [$name, $value] = explode(':', $line, 2) + [1 => ''];
            $name = strtolower($name);
            $fields[$name] = isset($fields[$name]) ? $fields[$name] . ',' . trim($value) : trim($value);
        }
        $list = static fn (string $name): array => array_map('trim', explode(',', $fields[$name] ?? ''));
        $key = $fields['sec-websocket-key'] ?? '';
        if (preg_match('#^GET /\S* HTTP/1\.1$#D', $request) !== 1
            || !in_array('websocket', array_map('strtolower', $list('upgrade')), true)
            || !in_array('upgrade', array_map('strtolower', $list('connection')), true)
            || strlen((string) base64_decode($key, true)) !== 16
        ) {
            $this->refuse('400 Bad Request');
            return false;
        }
        if (($fields['sec-websocket-version'] ?? '') !== '13') {
            $this->refuse("426 Upgrade Required\r\nSec-WebSocket-Version: 13");
            return false;
        }
        $accept = base64_encode(sha1($key . '258EAFA5-E914-47DA-95CA-C5AB0DC85B11', true));
        $this->output = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            . "Sec-WebSocket-Accept: $accept\r\n";
        if (in_array(SUBPROTOCOL, $list('sec-websocket-protocol'), true)) {
            $this->output .= 'Sec-WebSocket-Protocol: ' . SUBPROTOCOL . "\r\n";
        }
        $this->compression = Compression::agree($fields['sec-websocket-extensions'] ?? '');
        if ($this->compression !== null) {
            $this->output .= "Sec-WebSocket-Extensions: {$this->compression->answer()}\r\n";
        }
        $this->output .= "\r\n";
        return $this->upgraded = true;
    }

    private function refuse(string $status): void
    {
        $this->output = "HTTP/1.1 $status\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        $this->ended = true;
    }

    /** Takes the frame at the offset and moves the offset behind it; false when it is not all there. */
    private function frame(int &$offset): bool
    {
        $available = strlen($this->input) - $offset;
        if ($available < 2) {
            return false;
        }
        $first = ord($this->input[$offset]);
        $second = ord($this->input[$offset + 1]);
        $final = ($first & 0x80) !== 0;
        $reserved = ($first >> 4) & 7;
        $opcode = $first & 15;
        $length = $second & 0x7f;
        $this->check($final, $reserved, $opcode, ($second & 0x80) !== 0, $length);

        $wide = [126 => 2, 127 => 8][$length] ?? 0;
        $head = 2 + $wide + 4;
        if ($available < $head) {
            return false;
        }
        if ($wide > 0) {
            $length = unpack($wide === 2 ? 'n' : 'J', $this->input, $offset + 2)[1];
            if ($length < ($wide === 2 ? 126 : 65536)) {
                throw new Violation('length not minimal', 1002);
            }
            if ($length > LARGEST_MESSAGE - strlen($this->payload)) {
                throw new Violation('message too large', 1009);
            }
        }
        if ($available < $head + $length) {
            return false;
        }
        $mask = substr($this->input, $offset + $head - 4, 4);
        $payload = substr($this->input, $offset + $head, $length);
        // The shorter operand rules the length.
        $payload ^= str_repeat($mask, intdiv($length + 3, 4));
        $offset += $head + $length;
        $opcode >= CLOSE ? $this->control($opcode, $payload) : $this->data($final, $reserved, $opcode, $payload);
        return true;
    }

    private function check(bool $final, int $reserved, int $opcode, bool $masked, int $length): void
    {
        $starts = $opcode === TEXT || $opcode === BINARY;
        $wrong = match (true) {
            !$masked => 'not masked',
            $reserved !== 0 && !($reserved === 4 && $starts && $this->compression !== null) => 'reserved bits',
            $opcode >= CLOSE && $opcode <= PONG => !$final || $length > 125 ? 'control frame' : null,
            $starts => $this->opcode !== null ? 'message within a message' : null,
            $opcode === CONTINUATION => $this->opcode === null ? 'continuation of nothing' : null,
            default => 'reserved opcode',
        };
        if ($wrong !== null) {
            throw new Violation($wrong, 1002);
        }
    }

    private function data(bool $final, int $reserved, int $opcode, string $payload): void
    {
        if ($opcode !== CONTINUATION) {
            $this->opcode = $opcode;
            $this->compressed = $reserved === 4;
        }
        $this->payload .= $payload;
        if (!$final) {
            return;
        }
        $message = $this->compressed ? $this->compression->inflate($this->payload) : $this->payload;
        if ($this->opcode === TEXT && preg_match('//u', $message) !== 1) {
            throw new Violation('not UTF-8', 1007);
        }
        $opcode = $this->opcode;
        $this->opcode = null;
        $this->payload = '';
        if ($this->compression !== null) {
            $this->send($opcode, $this->compression->deflate($message), 0x40);
        } else {
            $this->send($opcode, $message);
        }
    }

    private function control(int $opcode, string $payload): void
    {
        if ($opcode === PING) {
            $this->send(PONG, $payload);
        } elseif ($opcode === CLOSE) {
            if ($payload !== '') {
                $code = strlen($payload) > 1 ? unpack('n', $payload)[1] : 0;
                $known = $code >= 1000 && $code <= 1014 && !in_array($code, [1004, 1005, 1006], true);
                if (!$known && ($code < 3000 || $code > 4999)) {
                    throw new Violation('close code', 1002);
                }
                if (preg_match('//u', substr($payload, 2)) !== 1) {
                    throw new Violation('close reason', 1007);
                }
            }
            $this->send(CLOSE, substr($payload, 0, 2));
            $this->ended = true;
        }
    }

    private function send(int $opcode, string $payload, int $reserved = 0): void
    {
        $length = strlen($payload);
        $this->output .= chr(0x80 | $reserved | $opcode) . match (true) {
            $length < 126 => chr($length),
            $length < 65536 => "\x7e" . pack('n', $length),
            default => "\x7f" . pack('J', $length),
        } . $payload;
    }
}
