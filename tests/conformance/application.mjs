// An application made of Slack's own SDK and nothing else. It does what it is told on standard input, one JSON document
// a line, and tells on standard output what came of it, and what Slack delivers.

import { createInterface } from "node:readline";
import { SocketModeClient } from "@slack/socket-mode";
import { LogLevel, WebClient } from "@slack/web-api";

const { SLACK_API_URL: slackApiUrl, SLACK_BOT_TOKEN, SLACK_APP_TOKEN } = process.env;
// What is retried is the caller's business: one call is one request here.
const options = { slackApiUrl, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true, logLevel: LogLevel.ERROR };
const web = new WebClient(SLACK_BOT_TOKEN, options);
// Reconnecting waits for as long as a ping may take.
const socket = new SocketModeClient({ appToken: SLACK_APP_TOKEN, clientOptions: options, clientPingTimeout: 500, logLevel: LogLevel.ERROR });
const tell = (document) => process.stdout.write(`${JSON.stringify(document)}\n`);
// By the type of what is delivered: what to acknowledge it with, or null for not at all.
let acks = {};

async function deliver({ ack, type, body, envelope_id: envelope, retry_num: retry, accepts_response_payload: takes }) {
  const answer = acks[body.type] ?? acks[type];
  if (answer !== null) await ack(answer);
  tell({ delivered: type, body, envelope, retry: retry ?? null, takes });
}

const deeds = {
  call: ({ method, args }) => web.apiCall(method, args),
  upload: (args) => web.filesUploadV2(args),
  connect: async () => { await socket.start(); return {}; },
  disconnect: async () => { await socket.disconnect(); return {}; },
  acknowledge: async (by) => { acks = by; return {}; },
};

function refusal(error) {
  return { code: error.code, data: error.data ?? null, retryAfter: error.retryAfter ?? null, message: error.message };
}

socket.on("slack_event", (delivery) => deliver(delivery).catch((error) => tell({ broken: String(error) })));
socket.on("connected", () => tell({ connected: true }));
createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, deed, with: asked } = JSON.parse(line);
  const answer = await deeds[deed](asked).then((ok) => ({ ok }), (error) => ({ error: refusal(error) }));
  tell({ id, ...answer });
}).on("close", () => process.exit(0));
