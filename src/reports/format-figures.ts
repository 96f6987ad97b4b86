export function count(value: number): string {
  return value.toLocaleString('en');
}

/** @param share 0 to 1 */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
