import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CommandPowerMachine } from '../../src/adapters/power-machine.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

const machine = new CommandPowerMachine({ PATH: '/usr/bin:/bin', HOME: '/nowhere' });

describe('the commands of a server', () => {
  it('a list is run without a shell, a text by one, and neither sees keys', async () => {
    await using folder = await makeTemporaryFolder();
    const file = join(folder.path, 'out');
    expect(await machine.run(['touch', `${file}; echo $HOME`])).toEqual({});
    expect(await readFile(`${file}; echo $HOME`, 'utf8')).toBe('');
    expect(await machine.run(`env > ${file}`)).toEqual({});
    const names = (await readFile(file, 'utf8')).split('\n').map((line) => line.split('=')[0]);
    expect(
      names.filter((name) => name !== '' && !['PWD', 'SHLVL', '_', 'OLDPWD'].includes(name as string)).sort(),
    ).toEqual(['HOME', 'PATH']);
  });

  it('one that fails says how, and what it wrote', async () => {
    expect(await machine.run('echo no such machine >&2; exit 3')).toEqual({ why: 'exit 3: no such machine' });
    expect(await machine.run(['no-such-program'])).toEqual({ why: 'ENOENT' });
  });

  it('does not wait for a server that it leaves running', async () => {
    expect(await machine.run('sleep 60 & exit 0')).toEqual({});
  });

  it('is ready by an address that answers well, or by a command that ends well', async () => {
    await using server = await HttpModel.start();
    expect(await machine.isReady({ url: server.url })).toBe(true);
    expect(await machine.isReady({ url: 'http://127.0.0.1:9/' })).toBe(false);
    expect(await machine.isReady({ command: ['true'] })).toBe(true);
    expect(await machine.isReady({ command: ['false'] })).toBe(false);
  });
});
