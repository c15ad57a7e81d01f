// The TypeScript SDK, version 2, in the protocol era it is told to use: makes the calls that come in on stdin.
import { createInterface } from 'node:readline';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const { url, command, env, token, agrees, era } = JSON.parse(process.argv.at(-1));
const headers = token ? { Authorization: `Bearer ${token}` } : {};
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const client = new Client(
  { name: 'typescript-v2', version: '1' },
  { capabilities: agrees ? { elicitation: { form: {} } } : {}, versionNegotiation: { mode: era } },
);
const asked = [];
if (agrees) {
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    asked.push(params.message);
    return { action: 'accept', content: { agree: true } };
  });
}
await client.connect(
  url
    ? new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } })
    : new StdioClientTransport({ command: command[0], args: command.slice(1), env: { ...process.env, ...env } }),
);
say({ tools: (await client.listTools()).tools.map((tool) => tool.name), protocol: client.getNegotiatedProtocolVersion() });
for await (const line of createInterface({ input: process.stdin })) {
  const { tool, arguments: given } = JSON.parse(line);
  const result = await client.callTool({ name: tool, arguments: given });
  say({ outcome: result.structuredContent, asked: asked.splice(0) });
}
await client.close();
