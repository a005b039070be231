# WEBrick's forward proxy on a loopback port.
#
#     webrick_proxy.rb PORT [USER PASSWORD]
require "webrick"
require "webrick/httpproxy"

port, user, password = ARGV
server = WEBrick::HTTPProxyServer.new(
  BindAddress: "127.0.0.1",
  Port: Integer(port),
  RequestTimeout: 600,
  Logger: WEBrick::Log.new($stderr, WEBrick::Log::FATAL),
  AccessLog: [],
  ProxyAuthProc: user && lambda { |request, response|
    WEBrick::HTTPAuth.proxy_basic_auth(request, response, "office") { |name, given| [name, given] == [user, password] }
  },
)
trap("TERM") { server.shutdown }
server.start
