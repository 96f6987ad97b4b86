/** What `import … from 'nightmill/schema'` gives: JSON Schemas of the config file and of the manifest. */
import config from '../../docs/config.schema.json' with { type: 'json' };
import manifest from '../../docs/manifest.schema.json' with { type: 'json' };

export type JsonSchema = Readonly<Record<string, unknown>>;

export const configSchema: JsonSchema = config;
export const manifestSchema: JsonSchema = manifest;
