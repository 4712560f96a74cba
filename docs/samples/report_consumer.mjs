#!/usr/bin/env node
// node report_consumer.mjs URL CODE SEED_FILE FOLDER: keeps every published report that it has not had
// npm install @nats-io/transport-node @nats-io/jetstream
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jetstream } from '@nats-io/jetstream';
import { connect, nkeyAuthenticator } from '@nats-io/transport-node';

const sorted = (said) => {
  if (Array.isArray(said)) return said.map(sorted);
  if (said === null || typeof said !== 'object') return said;
  return Object.fromEntries(Object.keys(said).sort().map((name) => [name, sorted(said[name])]));
};

const digest = ({ form, unit, period, columns, rows, totals }) => {
  // a language that is absent in the event is null in the digest
  const label = ({ vi, en = null }) => ({ vi, en });
  const said = {
    form, unit, totals,
    period: { ...period, label: label(period.label) },
    columns: columns.map((column) => ({ code: column.code, label: label(column.label) })),
    rows: rows.map((row) => ({ ...row, name: label(row.name) })),
  };
  return createHash('sha256').update(JSON.stringify(sorted(said))).digest('hex');
};

const keep = (report, folder) => {
  const name = `${report.form}.${report.unit}.${report.period.code}`;
  const file = join(folder, `${name}.json`);
  const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).revision : 0;
  if (report.revision <= known) return; // it was here before
  let told = digest(report) === report.digest ? 'digest agrees' : 'DIGEST DIFFERS';
  if (report.revision > known + 1) told += `, missed ${known + 1} to ${report.revision - 1}`;
  const withheld = report.rows.flatMap((row) => row.cells).filter((cell) => cell === null).length;
  if (withheld) told += `, ${withheld} cells withheld below ${report.threshold}`;
  writeFileSync(file, JSON.stringify(report));
  console.log(`${name} revision ${report.revision}: ${told}`);
};

const [url, code, seed, folder] = process.argv.slice(2);
const client = await connect({
  servers: url,
  authenticator: nkeyAuthenticator(new TextEncoder().encode(readFileSync(seed, 'utf8').trim())),
  inboxPrefix: `_INBOX_${code}`,
});
const reports = jetstream(client).consumers.getConsumerFromInfo({
  stream_name: 'REPORTS', name: `reader-${code}`, config: {}, // a reader may take, and ask for no more
});
for (let taken = 1; taken > 0; ) { // until there is nothing new: run it again later, it goes on from here
  taken = 0;
  for await (const message of await reports.fetch({ max_messages: 100, expires: 3000 })) {
    taken += 1;
    keep(message.json().data, folder);
    await message.ackAck(); // only now: what is not confirmed comes again
  }
}
await client.close();
