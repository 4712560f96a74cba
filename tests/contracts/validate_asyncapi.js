// node validate_asyncapi.js DOCUMENT: what AsyncAPI's own parser finds wrong with it, a line each
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { Parser } = createRequire(`${process.env.NODE_FOLDER}/`)('@asyncapi/parser');

new Parser().parse(readFileSync(process.argv[2], 'utf8')).then(({ document, diagnostics }) => {
  const told = diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version');
  for (const { code, path, message } of told) console.log(code, path.join('/'), message);
  if (!document || told.length > 0) process.exit(1);
  console.log(`${document.channels().length} channels, ${document.operations().length} operations`);
});
