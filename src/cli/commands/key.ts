import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { createKey, keyJson, readRights, revokeKey } from '../../operations/api-keys.ts';
import { readExpiry } from '../../operations/read-deadline.ts';
import { readTenant } from '../../operations/submit-values.ts';
import { print, withApp } from '../with-app.ts';

export function addKeyCommand(program: Command): void {
  const key = program.command('key').description('keys for the server: create, list, revoke');
  const create = key
    .command('create')
    .description('make a key; its secret is printed once and kept nowhere')
    .requiredOption('--name <name>', 'what it is called in list and audit')
    .option('--tenant <name>', "see and submit this tenant's batches (default: batches without a tenant)")
    .option(
      '--rights <names>',
      'submit, read, metrics, operate, with commas; metrics and operate are for all tenants',
      'submit,read',
    )
    .option('--expires <time>', 'from then it is refused: 90d, or a moment such as 2027-01-31T06:00Z')
    .action(async (flags: { name: string; tenant?: string; rights: string; expires?: string }) => {
      await withApp(create, async (app, options) => {
        const { name } = flags;
        const rights = readRights(flags.rights);
        const tenant = readTenant(flags.tenant);
        const expiresAt = readExpiry(flags.expires, app.clock.now());
        const made = await createKey(app, { name, tenant, rights, expiresAt }, randomBytes(32));
        print(options, { ...keyJson(made.key, app.clock.now()), secret: made.secret }, () => `${made.secret}\n`);
      });
    });
  const list = key
    .command('list')
    .description('every key there is, without secrets')
    .action(async () => {
      await withApp(list, async (app, options) => {
        const now = app.clock.now();
        const keys = (await app.apiKeys.list()).map((each) => keyJson(each, now) as Record<string, unknown>);
        print(options, keys, () =>
          keys.length === 0
            ? 'There are no keys. nightmill key create --name NAME makes one.\n'
            : keys
                .map(({ name, state, rights, tenant, expiresAt }) => {
                  const end = expiresAt === null ? '' : `, until ${expiresAt}`;
                  return `${name}  ${state}  ${(rights as string[]).join(',')}  ${tenant === null ? 'no tenant' : `tenant ${tenant}`}${end}\n`;
                })
                .join(''),
        );
      });
    });
  const revoke = key
    .command('revoke')
    .description('refuse a key from now on')
    .argument('<name>')
    .action(async (name: string) => {
      await withApp(revoke, async (app, options) => {
        await revokeKey(app, name);
        print(options, { name, state: 'revoked' }, () => `${name} is refused from now on.\n`);
      });
    });
}
