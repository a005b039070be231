# An echo server on Faye's WebSocket library for Ruby, in Thin.
#
#     ruby faye_ruby_echo.rb PORT

require 'thin'
require 'faye/websocket'

SUBPROTOCOLS = ['culvert.echo'].freeze
# 64 MiB: four times the largest message sent here.
LARGEST_MESSAGE = 64 << 20

Thin::Logging.silent = true
Faye::WebSocket.load_adapter('thin')

echo = lambda do |environment|
  next [404, { 'Content-Type' => 'text/plain' }, ["WebSocket only\n"]] unless Faye::WebSocket.websocket?(environment)

  socket = Faye::WebSocket.new(environment, SUBPROTOCOLS, max_length: LARGEST_MESSAGE)
  socket.on(:message) { |event| socket.send(event.data) }
  socket.rack_response
end

server = Thin::Server.new('127.0.0.1', Integer(ARGV.fetch(0)), echo, signals: false)
# Thin's 30 seconds are for requests; a WebSocket may be silent for longer.
server.timeout = 0
server.start
