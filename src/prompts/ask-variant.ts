/** `raised_cap`: the same question with room for a longer reply; `repair`: the model is told what was wrong. */
export type AskVariant = 'first' | 'raised_cap' | 'repair';
