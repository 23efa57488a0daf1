// What one would write in an afternoon with node: fetch, pg and pg-copy-streams, one COPY for the whole account.
const { Client } = require("pg");
const { from } = require("pg-copy-streams");
const { Readable } = require("stream");
const { pipeline } = require("stream/promises");

const ESCAPES = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const escape = (text) => text.replace(/[\\\n\r\t]/g, (c) => ESCAPES[c]);
const cell = (value, isJson) => (value == null ? "\\N" : escape(isJson ? JSON.stringify(value) : String(value)));

async function* lines(columns) {
  for (let next = ""; next !== null; ) {
    const answer = await fetch(`${process.env.BENCH_URL}/api/tickets?limit=100${next && `&cursor=${next}`}`);
    const page = await answer.json();
    yield page.data.map((row) => columns.map(({ name, is_json }) => cell(row[name], is_json)).join("\t") + "\n").join("");
    next = page.meta.next_cursor;
  }
}

async function main() {
  const url = new URL(process.env.BENCH_DATABASE.replace("postgresql://", "postgresql://localhost"));
  const client = new Client({ host: url.searchParams.get("host"), user: "postgres", database: url.pathname.slice(1) });
  await client.connect();
  const { rows } = await client.query(
    "select column_name as name, data_type = 'jsonb' as is_json from information_schema.columns" +
      " where table_schema = 'hand' and table_name = 'tickets' order by ordinal_position");
  await pipeline(Readable.from(lines(rows)), client.query(from("copy hand.tickets from stdin")));
  await client.end();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
