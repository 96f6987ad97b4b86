import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dashboardJson } from './dashboard/dashboard.ts';

/** Checks that `deploy/grafana/dashboard.json` is what `scripts/dashboard/` describes; `--write` writes it. */
const file = fileURLToPath(new URL('../deploy/grafana/dashboard.json', import.meta.url));
const wanted = dashboardJson();
if (process.argv.includes('--write')) writeFileSync(file, wanted);
else if (readFileSync(file, 'utf8') !== wanted) {
  console.error('deploy/grafana/dashboard.json is out of date: run node scripts/dashboard.ts --write');
  process.exitCode = 1;
}
