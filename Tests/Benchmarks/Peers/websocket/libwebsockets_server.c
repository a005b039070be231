/* An echo server on libwebsockets: libwebsockets_server PORT [CERTIFICATE KEY]
 *
 * The library hands over pieces of messages; they are gathered, and go back as one frame.
 */

#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK ((size_t)64 << 10)
/* 1 MiB: more than any message sent here. */
#define LARGEST ((size_t)1 << 20)

struct session {
	/* LWS_PRE bytes of room for a frame's head, then the message. */
	unsigned char *bytes;
	size_t length, capacity;
	int binary;
};

/* Appends one piece; not 0 when the message is too large or memory is out. */
static int gather(struct session *session, const void *piece, size_t length)
{
	size_t needed = LWS_PRE + session->length + length;

	if (session->length + length > LARGEST)
		return -1;
	if (needed > session->capacity) {
		unsigned char *bytes = realloc(session->bytes, needed);
		if (!bytes)
			return -1;
		session->bytes = bytes;
		session->capacity = needed;
	}
	memcpy(session->bytes + LWS_PRE + session->length, piece, length);
	session->length += length;
	return 0;
}

static int converse(struct lws *socket, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
	struct session *session = user;
	enum lws_write_protocol kind;
	size_t count;

	switch (reason) {
	case LWS_CALLBACK_RECEIVE:
		session->binary = lws_frame_is_binary(socket);
		if (gather(session, in, length))
			return -1;
		if (lws_is_final_fragment(socket) && !lws_remaining_packet_payload(socket))
			lws_callback_on_writable(socket);
		return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		kind = session->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
		count = session->length;
		if (!session->bytes)
			return 0;
		session->length = 0;
		return lws_write(socket, session->bytes + LWS_PRE, count, kind) < 0 ? -1 : 0;
	case LWS_CALLBACK_CLOSED:
		free(session->bytes);
		return 0;
	default:
		return lws_callback_http_dummy(socket, reason, user, in, length);
	}
}

int main(int count, char **arguments)
{
	static const struct lws_protocols protocols[] = {
		{ .name = "echo", .callback = converse, .per_session_data_size = sizeof(struct session),
		  .rx_buffer_size = CHUNK },
		{ 0 },
	};
	struct lws_context_creation_info information;
	struct lws_context *context;

	if (count != 2 && count != 4)
		return 2;
	lws_set_log_level(LLL_ERR, NULL);
	memset(&information, 0, sizeof(information));
	information.port = atoi(arguments[1]);
	information.iface = "127.0.0.1";
	information.protocols = protocols;
	information.pt_serv_buf_size = CHUNK;
	information.options = LWS_SERVER_OPTION_DISABLE_IPV6 | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
	if (count == 4) {
		information.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
		information.ssl_cert_filepath = arguments[2];
		information.ssl_private_key_filepath = arguments[3];
	}
	context = lws_create_context(&information);
	if (!context)
		return 1;
	while (lws_service(context, 0) >= 0)
		;
	lws_context_destroy(context);
	return 1;
}
