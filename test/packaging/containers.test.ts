import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startFauxqs } from 'fauxqs';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../config/load.ts';

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy?: { readonly replicas: number };
  readonly restart: string;
  readonly stop_grace_period?: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  readonly services: Readonly<Record<'redis' | 's3' | 'bucket' | 'worker', Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};
const services = Object.entries(compose.services);
const environment = { REDIS_PASSWORD: 'letters1', S3_ACCESS_KEY: 'owner', S3_SECRET_KEY: 'letters2' };

describe('docker-compose.yml', () => {
  it('publishes ports on the loopback interface only', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    expect(ports).not.toEqual([]);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it('takes every secret from the environment and names them all in .env.example', () => {
    const asked = new Set<string>();
    for (const [, service] of services) {
      for (const [name, value] of Object.entries(service.environment)) {
        if (/PASSWORD|SECRET|KEY|AUTH/.test(name)) expect(value, name).toMatch(/^\$\{[A-Z0-9_]+:(\?.+|-)\}$/);
        for (const [, variable = ''] of value.matchAll(/\$\{([A-Z0-9_]+)/g)) asked.add(variable);
      }
    }
    const offered = [...read('.env.example').matchAll(/^([A-Z0-9_]+)=$/gm)].map(([, name]) => name);
    expect(new Set(offered)).toEqual(asked);
  });

  it('pins the images of other people to a version', () => {
    for (const [name, { image, build }] of services) {
      if (build === undefined) expect(image, name).toMatch(/:v?\d+\.\d+/);
    }
  });

  it('waits only for services that are there and can become what is waited for', () => {
    for (const [name, service] of services) {
      for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
        const other = compose.services[needed as keyof typeof compose.services];
        expect(other, `${name} needs ${needed}`).toBeDefined();
        if (condition === 'service_healthy') expect(other.healthcheck?.test, needed).toBeDefined();
        else expect([condition, other.restart]).toEqual(['service_completed_successfully', 'no']);
      }
    }
    expect(Object.keys(compose.services.worker.depends_on ?? {}).sort()).toEqual(['bucket', 'redis', 's3']);
  });

  it('declares its volumes and mounts files that exist', () => {
    for (const volume of services.flatMap(([, service]) => service.volumes ?? [])) {
      const source = volume.split(':')[0] ?? '';
      if (source.startsWith('./')) expect(existsSync(join(root, source)), source).toBe(true);
      else expect(compose.volumes).toHaveProperty([source]);
    }
  });

  it('gives two workers more time to stop than they take', () => {
    const { worker } = compose.services;
    const config = loadConfig({ file: 'docker/nightmill.yaml', env: environment, cwd: root });
    expect(worker.deploy?.replicas).toBe(2);
    expect(Number.parseInt(worker.stop_grace_period ?? '', 10) * 1000).toBeGreaterThan(config.worker.shutdownGraceMs);
  });

  it('starts a Redis that asks for the password, writes at once and never drops a key', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nm-compose-'));
    const [shell = '', flag = '', script = ''] = compose.services.redis.command ?? [];
    // Compose reads $$ as $. The rest only moves this server out of the way of others.
    const line = `${script.replaceAll('$$', '$')} --port 0 --unixsocket ${folder}/redis.sock --dir ${folder}`;
    const server = spawn(shell, [flag, line], {
      env: { PATH: process.env.PATH, REDISCLI_AUTH: environment.REDIS_PASSWORD },
      stdio: 'ignore',
    });
    onTestFinished(async () => {
      server.kill('SIGKILL');
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
      rmSync(folder, { recursive: true });
    });
    while (!existsSync(`${folder}/redis.sock`)) {
      expect(server.exitCode, 'redis-server ended').toBeNull();
      await delay(20);
    }
    const stranger = new Redis(`${folder}/redis.sock`, { retryStrategy: () => null });
    stranger.on('error', () => {});
    onTestFinished(() => stranger.disconnect());
    await expect(stranger.ping()).rejects.toThrow('NOAUTH');
    const redis = new Redis(`${folder}/redis.sock`, { password: environment.REDIS_PASSWORD });
    onTestFinished(() => redis.disconnect());
    const setting = async (name: string) => ((await redis.config('GET', name)) as string[])[1];
    expect(await setting('appendonly')).toBe('yes');
    expect(await setting('appendfsync')).toBe('always');
    expect(await setting('save')).toBe('');
    expect(await setting('maxmemory')).toBe(String(1024 ** 3));
    expect(await setting('maxmemory-policy')).toBe('noeviction');
  });
});

describe('docker/nightmill.yaml', () => {
  it('connects to the services of the compose file with their secrets', () => {
    const config = loadConfig({ file: 'docker/nightmill.yaml', env: environment, cwd: root });
    expect(config.redis).toEqual({ url: 'redis://:letters1@redis:6379' });
    expect(config.store).toMatchObject({
      url: 's3://nightmill/store',
      endpoint: 'http://s3:9000',
      accessKeyId: 'owner',
    });
    expect(compose.services.bucket.command).toEqual(['nightmill']);
    expect(compose.services.bucket.environment.AWS_ENDPOINT_URL_S3).toBe(config.store.endpoint);
  });

  it('gets every variable it names from the compose file', () => {
    const uncommented = read('docker/nightmill.yaml').replaceAll(/^\s*#.*$/gm, '');
    const named = [...uncommented.matchAll(/\$\{([A-Z0-9_]+)\}/g)].map(([, name = '']) => name);
    expect(Object.keys(compose.services.worker.environment)).toEqual(expect.arrayContaining(named));
  });
});

describe('docker/create-bucket.js', () => {
  it('creates the bucket once and is content when it is there', async () => {
    const server = await startFauxqs({ port: 0, logger: false });
    onTestFinished(() => server.stop());
    const create = async () => {
      const child = spawn(process.execPath, [join(root, 'docker/create-bucket.js'), 'nightmill'], {
        env: {
          AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${server.port}`,
          AWS_REGION: 'us-east-1',
          AWS_ACCESS_KEY_ID: 'owner',
          AWS_SECRET_ACCESS_KEY: 'letters2',
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      const [code] = await once(child, 'close');
      return [code, output];
    };
    expect(await create()).toEqual([0, 'Created the bucket nightmill.\n']);
    expect(await create()).toEqual([0, 'The bucket nightmill is there.\n']);
  });

  it('asks for a name', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'docker/create-bucket.js')], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([2, expect.stringContaining('without its name')]);
  });
});

describe('Dockerfile', () => {
  const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) =>
    sources.split(' '),
  );

  it('copies only files that exist and that .dockerignore lets through', () => {
    const allowed = [...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, path]) => path);
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect(new Set(copied)).toEqual(new Set(allowed));
  });

  it('ends as a user who is not root', () => {
    expect(
      read('Dockerfile')
        .match(/^USER .+$/gm)
        ?.at(-1),
    ).toBe('USER node');
  });
});
