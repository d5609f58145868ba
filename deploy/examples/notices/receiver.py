"""A webhook's receiver: checks the signature as Standard Webhooks says and keeps each event, a line each."""
import base64, hashlib, hmac, json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

host, port = sys.argv[1].split(":")
key = base64.b64decode(open("hook.secret").read().strip().removeprefix("whsec_"))


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        content = b".".join([self.headers["webhook-id"].encode(), self.headers["webhook-timestamp"].encode(), body])
        want = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        good = hmac.compare_digest(want, self.headers["webhook-signature"])
        with open("received.jsonl", "a") as file:
            file.write(json.dumps({"signature": "good" if good else "bad"} | json.loads(body)) + "\n")
        self.send_response(204 if good else 401)
        self.end_headers()

    def log_message(self, *args):
        pass


HTTPServer((host, int(port)), Hook).serve_forever()
