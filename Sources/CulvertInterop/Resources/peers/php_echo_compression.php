<?php
// permessage-deflate (RFC 7692) for php_echo.php, with PHP's zlib.
declare(strict_types=1);

/** permessage-deflate as agreed with one client; both sides keep their windows unless the client asks otherwise. */
final class Compression
{
    private readonly InflateContext $inflater;
    private ?DeflateContext $deflater = null;

    private function __construct(private readonly bool $forgets, private readonly ?int $windowBits)
    {
        $this->inflater = inflate_init(ZLIB_ENCODING_RAW);
    }

    /** Takes the first offer that can be met; null when there is none. */
    public static function agree(string $offers): ?self
    {
        foreach (explode(',', strtolower($offers)) as $offer) {
            $words = array_map('trim', explode(';', $offer));
            if (array_shift($words) !== 'permessage-deflate') {
                continue;
            }
            $parameters = [];
            foreach ($words as $word) {
                [$name, $value] = explode('=', $word, 2) + [1 => ''];
                $parameters[trim($name)] = trim($value, " \t\"");
            }
            // zlib makes no raw stream with a window of 8 bits.
            $bits = $parameters['server_max_window_bits'] ?? null;
            $known = ['client_max_window_bits', 'server_max_window_bits',
                'client_no_context_takeover', 'server_no_context_takeover'];
            if (array_diff(array_keys($parameters), $known) === []
                && ($bits === null || preg_match('/^(9|1[0-5])$/D', $bits) === 1)
            ) {
                return new self(isset($parameters['server_no_context_takeover']), $bits === null ? null : (int) $bits);
            }
        }
        return null;
    }

    public function answer(): string
    {
        return 'permessage-deflate'
            . ($this->forgets ? '; server_no_context_takeover' : '')
            . ($this->windowBits === null ? '' : "; server_max_window_bits=$this->windowBits");
    }

    public function inflate(string $payload): string
    {
        $message = '';
        foreach (str_split($payload . "\x00\x00\xff\xff", 4096) as $piece) {
            $inflated = @inflate_add($this->inflater, $piece, ZLIB_SYNC_FLUSH);
            if ($inflated === false) {
                throw new Violation('not deflated', 1007);
            }
            $message .= $inflated;
            if (strlen($message) > LARGEST_MESSAGE) {
                throw new Violation('message too large', 1009);
            }
        }
        return $message;
    }

    public function deflate(string $message): string
    {
        // An empty stored block, without the four bytes each message leaves out.
        if ($message === '') {
            return "\x00";
        }
        if ($this->deflater === null || $this->forgets) {
            $this->deflater = deflate_init(ZLIB_ENCODING_RAW, ['level' => 6, 'window' => $this->windowBits ?? 15]);
        }
        return substr(deflate_add($this->deflater, $message, ZLIB_SYNC_FLUSH), 0, -4);
    }
}
