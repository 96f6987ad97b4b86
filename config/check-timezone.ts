/** Adds a problem where the name is no time zone. */
export function checkTimezone(timezone: string, at: string, problems: string[]): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
  } catch {
    problems.push(`${at}: ${JSON.stringify(timezone)} is not a time zone; use a name such as Europe/Berlin or UTC`);
  }
}
