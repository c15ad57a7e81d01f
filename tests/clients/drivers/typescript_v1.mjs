// The TypeScript SDK, version 1: makes the calls that come in on stdin, a line each, and writes what came back.
import { createInterface } from 'node:readline';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const { url, command, env, token, agrees } = JSON.parse(process.argv.at(-1));
const headers = token ? { Authorization: `Bearer ${token}` } : {};
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const capabilities = agrees ? { elicitation: {} } : {};
const client = new Client({ name: 'typescript-v1', version: '1' }, { capabilities });
const asked = [];
if (agrees) {
  client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
    asked.push(params.message);
    return { action: 'accept', content: { agree: true } };
  });
}
await client.connect(
  url
    ? new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } })
    : new StdioClientTransport({ command: command[0], args: command.slice(1), env: { ...process.env, ...env } }),
);
say({ tools: (await client.listTools()).tools.map((tool) => tool.name) });
for await (const line of createInterface({ input: process.stdin })) {
  const { tool, arguments: given } = JSON.parse(line);
  const result = await client.callTool({ name: tool, arguments: given });
  say({ outcome: result.structuredContent, asked: asked.splice(0) });
}
await client.close();
