%% An echo server on an embedded Yaws.
%%
%%     erl -noshell -pa DIRECTORY -pa YAWS_EBIN -s yaws_echo main -extra PORT DIRECTORY
-module(yaws_echo).

-export([main/0, out/1, init/1, handle_message/1]).

-include_lib("yaws/include/yaws_api.hrl").

-define(ID, "culvert").
%% 64 MiB: four times the largest message sent here.
-define(LARGEST_MESSAGE, (64 bsl 20)).

main() ->
    [Port, Directory] = init:get_plain_arguments(),
    %% Nothing is told about clients that vanish.
    logger:set_primary_config(level, none),
    %% Where this directory is not, Yaws writes a module of its own into /tmp, by a name that all of them share.
    ok = filelib:ensure_dir(filename:join(yaws:id_dir(?ID), "yaws_dynopts.erl")),
    Globals = [{logdir, Directory}, {trace, false}, {id, ?ID}],
    Server = [{listen, {127, 0, 0, 1}},
              {port, list_to_integer(Port)},
              {servername, "localhost"},
              {docroot, Directory},
              {access_log, false},
              {appmods, [{"/", ?MODULE}]}],
    case yaws:start_embedded(Directory, Server, Globals) of
        ok -> ok;
        {error, _} -> halt(1)
    end.

out(_Request) ->
    {websocket, ?MODULE, [{max_frame_size, ?LARGEST_MESSAGE}, {max_message_size, ?LARGEST_MESSAGE}]}.

%% Yaws unmasks into a list of four bytes each; with a small heap, a large message takes half as long again.
init([_Request, State]) ->
    process_flag(min_heap_size, 8 * 1024 * 1024),
    {ok, State}.

handle_message({close, Code, _Reason}) -> {close, Code};
handle_message(Message) -> {reply, Message}.
