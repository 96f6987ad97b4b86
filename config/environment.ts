/** The few things that are read from the environment outside the configuration file. */
export function readEnvironment() {
  return {
    all: process.env,
    searchPath: process.env['PATH'],
    logLevel: process.env['NIGHTMILL_LOG'],
  } as const;
}
