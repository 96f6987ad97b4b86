import { readEndpoint, SUPERVISOR_CLIENT_NAME } from './endpoint.ts';
import { RedisConnection } from './redis-connection.ts';

/**
 * A connection to the folder's server; undefined where none is ready, or where it has no supervisor that would end it.
 * The endpoint is read again after connecting, see `endServer` in the supervisor.
 */
export async function joinServer(redisFolder: string): Promise<RedisConnection | undefined> {
  const endpoint = readEndpoint(redisFolder);
  if (endpoint?.state !== 'ready') return undefined;
  let connection: RedisConnection | undefined;
  try {
    connection = await RedisConnection.open(endpoint.socketPath);
    if ((await isSupervised(connection)) && readEndpoint(redisFolder)?.state === 'ready') return connection;
  } catch {
    // It has just ended, or never came back after a power loss.
  }
  connection?.close();
  return undefined;
}

/** Whether the server has a supervisor that will end it. */
export async function isSupervised(connection: RedisConnection): Promise<boolean> {
  const clients = await connection.command('CLIENT', 'LIST');
  return clients.includes(` name=${SUPERVISOR_CLIENT_NAME} `);
}
