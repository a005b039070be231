# An echo server on EventMachine's em-websocket.
#
#     ruby em_websocket_echo.rb PORT

require 'em-websocket'

# 64 MiB: four times the largest message sent here.
EM::WebSocket.max_frame_size = 64 << 20

EM.run do
  EM::WebSocket.run(host: '127.0.0.1', port: Integer(ARGV.fetch(0))) do |socket|
    socket.onmessage { |text| socket.send(text) }
    socket.onbinary { |data| socket.send_binary(data) }
    # A client that vanishes is no news.
    socket.onerror { |_| }
  end
end
