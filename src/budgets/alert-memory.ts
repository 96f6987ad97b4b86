/** What the cluster remembers so that one worker says a thing once. */
export interface AlertMemory {
  /** True for the first caller of the whole cluster in `milliseconds`; the others leave the check to it. */
  claimCheck(milliseconds: number): Promise<boolean>;
  /** True for the first to remember this key: it sends the alert. Kept longer than any period lasts. */
  remember(alertKey: string): Promise<boolean>;
}
