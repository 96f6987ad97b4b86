import { z } from 'zod';
import { listProblem } from '../redis-target.ts';
import { readRedisUrl } from '../redis-url.ts';

const redisUrl = () =>
  z
    .string()
    .regex(/^(rediss?|unix):\/\//, 'must be a redis://, rediss:// or unix:// URL')
    .superRefine((url, context) => {
      const read = readRedisUrl(url);
      if ('problem' in read) context.addIssue(read.problem);
    });

const redisUrls = () =>
  z
    .array(redisUrl())
    .min(1)
    .max(100)
    .superRefine((urls, context) => {
      const problem = listProblem(urls);
      if (problem !== undefined) context.addIssue(problem);
    });

const tls = () =>
  z
    .strictObject({
      ca: z
        .string()
        .min(1)
        .optional()
        .describe('PEM file of the authority that signed the server; default: those of Node'),
      cert: z.string().min(1).optional().describe('PEM file of the certificate that this program shows'),
      key: z.string().min(1).optional().describe('PEM file of its private key'),
    })
    .refine(({ cert, key }) => (cert === undefined) === (key === undefined), 'cert and key go together: name both')
    .optional()
    .describe('files beside the config; with it, or with rediss://, the connection is encrypted');

/** The ways to name servers; each leaves out the others. */
const WAYS = ['url', 'cluster', 'sentinels'] as const;
const ONLY_WITH_SENTINELS = ['name', 'username', 'password', 'database'] as const;

const settings = z
  .strictObject({
    url: redisUrl().optional().describe('one server'),
    cluster: redisUrls().optional().describe('some nodes of a Redis Cluster; the others are found'),
    sentinels: redisUrls().optional().describe('the Sentinels, not the servers that they watch: redis://host:26379'),
    name: z.string().min(1).optional().describe('under which the Sentinels know the primary'),
    username: z.string().min(1).optional().describe('of the primary; that of the Sentinels stands in their URLs'),
    password: z.string().optional().describe('of the primary; a secret: name it as ${VARIABLE}'),
    database: z.number().int().min(0).optional().describe('of the primary'),
    tls: tls(),
  })
  .superRefine((redis, context) => {
    const ways = WAYS.filter((way) => redis[way] !== undefined);
    if (ways.length !== 1) {
      const found = ways.length === 0 ? 'it has none of them' : `it has ${ways.join(' and ')}`;
      context.addIssue(`name the servers in one way: url, cluster or sentinels; ${found}`);
    } else if (redis.sentinels !== undefined) {
      if (redis.name === undefined) context.addIssue('sentinels need name: under which they know the primary');
    } else {
      const others = ONLY_WITH_SENTINELS.filter((key) => redis[key] !== undefined);
      if (others.length > 0) context.addIssue(`${others.join(', ')} go with sentinels; here they stand in the URL`);
    }
  });

export const redisSchema = z
  .union([redisUrl(), settings])
  .optional()
  .describe(
    'a URL, or an object that names a cluster, Sentinels or TLS files; absent: a private server in .nightmill/',
  );
