/**
 * The configuration of someone who has none: two workflows on the free local model, so that the first command
 * works with no key, no server and no file.
 */
export const DEFAULT_CONFIG = {
  workflows: {
    summarize: { task: 'summarize', summary: { maxWords: 120 }, cascade: [{ model: 'local' }] },
    classify: {
      task: 'classify',
      labels: {
        business: 'Business: companies, markets, finance, economy, trade',
        technology: 'Technology: software, computers, internet, gadgets, programming',
        science: 'Science: research, physics, biology, space, environment',
        health: 'Health: medicine, diseases, hospitals, fitness, nutrition',
        politics: 'Politics: governments, elections, law, diplomacy, conflicts',
        sports: 'Sports: games, teams, players, matches, tournaments',
        entertainment: 'Entertainment: films, music, television, celebrities, culture',
        travel: 'Travel: flights, hotels, tourism, destinations',
      },
      cascade: [{ model: 'local' }],
    },
  },
} as const;

/** For the help of commands: the built-in workflows with what they do. */
export const BUILT_INS = [
  `summarize (extracts of ${DEFAULT_CONFIG.workflows.summarize.summary.maxWords} words)`,
  `classify (labels ${Object.keys(DEFAULT_CONFIG.workflows.classify.labels).join(', ')})`,
].join(' and ');
