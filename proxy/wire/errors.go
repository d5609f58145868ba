package wire

import "strconv"

// Error is a refusal or a protocol violation. All values are predeclared; compare by Reason or pass to AppendError.
// Parsers return it as the error's dynamic type, always a pointer.
type Error struct {
	Status int    // what the client is told: 400..417, 431, 501, 505 for its own faults; 502 for the upstream's
	Reason string // stable code, snake_case, bounded set: fit for metrics and logs
	Text   string // one sentence for people
}

// Error implements error.
func (e *Error) Error() string { return e.Reason + ": " + e.Text }

// Refusals of requests. Only method, expectation and version errors leave the framing certain, and still the connection is
// closed after every one: a body may follow that nobody reads.
var (
	errRequestLine    = &Error{400, "bad_request_line", "The request line is malformed."}
	errMethod         = &Error{501, "unknown_method", "The method is too long to be one."}
	errConnect        = &Error{405, "method_connect", "CONNECT is not served here."}
	errTrace          = &Error{405, "method_trace", "TRACE is not served here."}
	errTarget         = &Error{400, "bad_target", "The request target is malformed."}
	errTargetLong     = &Error{414, "target_too_long", "The request target is too long."}
	errVersion        = &Error{505, "version", "Only HTTP/1.0 and HTTP/1.1 are spoken here."}
	errEmptyLines     = &Error{400, "empty_lines", "Too many empty lines before the request."}
	errFieldName      = &Error{400, "bad_field_name", "A field name is malformed."}
	errFieldValue     = &Error{400, "bad_field_value", "A field value holds a control character or a bare line end."}
	errFold           = &Error{400, "folded_field", "A field is folded over several lines."}
	errUnderscore     = &Error{400, "underscore_name", "A field name holds an underscore."}
	errHeadLarge      = &Error{431, "head_too_large", "The request's fields are too large."}
	errFieldsMany     = &Error{431, "too_many_fields", "The request has too many fields."}
	errHost           = &Error{400, "bad_host", "The request needs exactly one valid Host."}
	errLength         = &Error{400, "bad_content_length", "Content-Length must be one decimal number."}
	errCodingTwice    = &Error{400, "bad_transfer_encoding", "Transfer-Encoding must be one line."}
	errCodingUnknown  = &Error{501, "unknown_transfer_encoding", "The only transfer coding spoken here is chunked."}
	errCodingLength   = &Error{400, "length_and_coding", "Content-Length and Transfer-Encoding exclude each other."}
	errCodingOld      = &Error{400, "coding_in_http10", "HTTP/1.0 has no Transfer-Encoding."}
	errConnection     = &Error{400, "bad_connection", "The Connection field is malformed."}
	errExpectation    = &Error{417, "expectation", "The only expectation met here is 100-continue."}
	errMaxForwards    = &Error{400, "bad_max_forwards", "Max-Forwards must be one decimal number."}
	errSecondOpinion  = &Error{400, "ambiguous", "The request can be read in more than one way."}
	errChunk          = &Error{400, "bad_chunk", "The chunked body is malformed."}
	errChunkOverhead  = &Error{400, "chunk_overhead", "The chunked body is mostly extensions."}
	errTrailer        = &Error{400, "bad_trailer", "The trailer section is malformed."}
	errTrailerLarge   = &Error{431, "trailer_too_large", "The trailer section is too large."}
	errBodyLarge      = &Error{413, "body_too_large", "The body is too large."}
	errResponseLine   = &Error{502, "bad_status_line", "The upstream's status line is malformed."}
	errResponseFields = &Error{502, "bad_response_field", "The upstream's fields are malformed."}
	errResponseLarge  = &Error{502, "response_head_too_large", "The upstream's head is too large."}
	errResponseLength = &Error{502, "bad_response_framing", "The upstream's answer has no certain end."}
	errSwitch         = &Error{502, "unasked_switch", "The upstream switched protocols without being asked."}
	errResponseSecond = &Error{502, "ambiguous_response", "The upstream's answer can be read in more than one way."}
)

// statusText holds the reason phrases of the answers that are ours.
func statusText(status int) string {
	switch status {
	case 400:
		return "Bad Request"
	case 404:
		return "Not Found"
	case 405:
		return "Method Not Allowed"
	case 408:
		return "Request Timeout"
	case 413:
		return "Content Too Large"
	case 414:
		return "URI Too Long"
	case 417:
		return "Expectation Failed"
	case 421:
		return "Misdirected Request"
	case 429:
		return "Too Many Requests"
	case 431:
		return "Request Header Fields Too Large"
	case 500:
		return "Internal Server Error"
	case 501:
		return "Not Implemented"
	case 502:
		return "Bad Gateway"
	case 503:
		return "Service Unavailable"
	case 504:
		return "Gateway Timeout"
	case 505:
		return "HTTP Version Not Supported"
	case 508:
		return "Loop Detected"
	}
	return "Error"
}

const allowLine = "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"

// AppendError appends a complete response to dst: status line, Content-Type, Content-Length, Connection: close if closing,
// Retry-After: 1 with 503, Allow with 405, date (a complete line, or nothing), and a one-line body, as JSON
// (`{"error": ..., "hint": ...}`) or text. headOnly leaves the body out (the answer to HEAD). Any status is allowed; reason
// is a stable code such as Error.Reason, text one sentence; neither may come from the network.
func AppendError(dst []byte, status int, reason, text string, json, closing, headOnly bool, date []byte) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, ' ')
	dst = append(dst, statusText(status)...)
	dst = append(dst, "\r\nContent-Type: "...)
	length := len(reason) + len(": ") + len(text) + len("\n")
	if json {
		dst = append(dst, "application/json\r\n"...)
		length = len(`{"error":"","hint":""}`) + len(reason) + len(text) + len("\n")
	} else {
		dst = append(dst, "text/plain; charset=utf-8\r\n"...)
	}
	if status == 405 {
		dst = append(dst, allowLine...)
	}
	if status == 503 {
		dst = append(dst, "Retry-After: 1\r\n"...)
	}
	dst = append(dst, date...)
	if closing {
		dst = append(dst, "Connection: close\r\n"...)
	}
	dst = append(dst, "Content-Length: "...)
	dst = strconv.AppendInt(dst, int64(length), 10)
	dst = append(dst, "\r\n\r\n"...)
	if headOnly {
		return dst
	}
	if json {
		dst = append(dst, `{"error":"`...)
		dst = append(dst, reason...)
		dst = append(dst, `","hint":"`...)
		dst = append(dst, text...)
		return append(dst, "\"}\n"...)
	}
	dst = append(dst, reason...)
	dst = append(dst, ": "...)
	dst = append(dst, text...)
	return append(dst, '\n')
}
