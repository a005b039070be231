/* An echo server on libwebsockets.
 *
 *     libwebsockets_echo PORT [CERTIFICATE KEY]
 *
 * The library hands over pieces of messages; they are gathered, and go back as frames of CHUNK bytes.
 */

#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

/* 64 MiB: four times the largest message sent here. */
#define LARGEST_MESSAGE ((size_t)64 << 20)
#define CHUNK ((size_t)64 << 10)

struct message {
	struct message *next;
	size_t length, sent, capacity;
	int binary;
	unsigned char *bytes; /* LWS_PRE bytes of room for a frame's head, then the payload */
};

struct session {
	/* The spare one was sent, and is used again. */
	struct message *incoming, *first, *last, *spare;
	int compressed;
};

static void release(struct message *message)
{
	if (message)
		free(message->bytes);
	free(message);
}

/* Appends one piece; not 0 when the message is too large or memory is out. */
static int gather(struct session *session, struct lws *socket, const void *piece, size_t length)
{
	struct message *message = session->incoming;
	size_t needed;

	if (!message) {
		message = session->spare ? session->spare : calloc(1, sizeof(*message));
		if (!message)
			return -1;
		session->spare = NULL;
		message->next = NULL;
		message->length = message->sent = 0;
		message->binary = lws_frame_is_binary(socket);
		session->incoming = message;
	}
	if (length > LARGEST_MESSAGE - message->length)
		return -1;
	needed = LWS_PRE + message->length + length;
	if (needed > message->capacity) {
		size_t capacity = needed + needed / 2;
		unsigned char *bytes = realloc(message->bytes, capacity);
		if (!bytes)
			return -1;
		message->bytes = bytes;
		message->capacity = capacity;
	}
	if (length)
		memcpy(message->bytes + LWS_PRE + message->length, piece, length);
	message->length += length;
	return 0;
}

static void finish(struct session *session, struct lws *socket)
{
	struct message *message = session->incoming;

	session->incoming = NULL;
	if (session->last)
		session->last->next = message;
	else
		session->first = message;
	session->last = message;
	lws_callback_on_writable(socket);
}

/* Sends the next frame; not 0 when the connection is lost. The head overwrites payload that has been sent. */
static int send_frame(struct session *session, struct lws *socket)
{
	struct message *message = session->first;
	size_t length;
	int flags;

	if (!message)
		return 0;
	/* The library aborts the process over an empty message that it is to compress. */
	if (session->compressed && !message->length)
		return -1;
	length = message->length - message->sent;
	if (length > CHUNK)
		length = CHUNK;
	flags = lws_write_ws_flags(message->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT, !message->sent,
				   message->sent + length == message->length);
	if (lws_write(socket, message->bytes + LWS_PRE + message->sent, length, (enum lws_write_protocol)flags) < 0)
		return -1;
	message->sent += length;
	if (message->sent == message->length) {
		session->first = message->next;
		if (!session->first)
			session->last = NULL;
		release(session->spare);
		session->spare = message;
	}
	if (session->first)
		lws_callback_on_writable(socket);
	return 0;
}

static int converse(struct lws *socket, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
	struct session *session = user;

	switch (reason) {
	case LWS_CALLBACK_ESTABLISHED:
		/* 128 KiB to compress into: a frame at a time. Fails where no compression was agreed on. */
		session->compressed = !lws_set_extension_option(socket, "permessage-deflate", "tx_buf_size", "17");
		return 0;
	case LWS_CALLBACK_RECEIVE:
		if (gather(session, socket, in, length))
			return -1;
		if (lws_is_final_fragment(socket) && !lws_remaining_packet_payload(socket))
			finish(session, socket);
		return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return send_frame(session, socket);
	case LWS_CALLBACK_CLOSED:
		release(session->incoming);
		release(session->spare);
		while (session->first) {
			struct message *message = session->first;
			session->first = message->next;
			release(message);
		}
		return 0;
	default:
		return lws_callback_http_dummy(socket, reason, user, in, length);
	}
}

int main(int count, char **arguments)
{
	static const struct lws_protocols protocols[] = {
		{ .name = "culvert.echo", .callback = converse, .per_session_data_size = sizeof(struct session),
		  .rx_buffer_size = CHUNK },
		{ 0 },
	};
	static const struct lws_extension extensions[] = {
		{ "permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate" },
		{ 0 },
	};
	struct lws_context_creation_info information;
	struct lws_context *context;

	if (count != 2 && count != 4)
		return 2;
	lws_set_log_level(0, NULL);
	memset(&information, 0, sizeof(information));
	information.port = atoi(arguments[1]);
	information.iface = "127.0.0.1";
	information.protocols = protocols;
	information.extensions = extensions;
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
