import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configJsonSchema } from './check-schema/config-json-schema.ts';

/**
 * Keeps `docs/config.schema.json`, which editors check nightmill.yaml with, equal to `config/schema.ts`: ends with 1
 * where it differs, and writes it with --write.
 */
const path = fileURLToPath(new URL('../docs/config.schema.json', import.meta.url));
const wanted = `${JSON.stringify(configJsonSchema(), null, 2)}\n`;

if (process.argv.includes('--write')) {
  writeFileSync(path, wanted);
} else if (published() !== wanted) {
  console.error(
    'check-schema: docs/config.schema.json differs from config/schema.ts. Write it: node scripts/check-schema.ts --write',
  );
  process.exitCode = 1;
}

function published(): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
