/** A workflow with each cascade that its batches may have, its own first and then those of its tenants. */
export function allSpecs<Spec>({ spec, tenants }: TenantedSpec<Spec>): readonly Spec[] {
  return [spec, ...[...(tenants?.values() ?? [])].flatMap((tenant) => tenant.spec ?? [])];
}

export interface TenantedSpec<Spec> {
  readonly spec: Spec;
  readonly tenants?: ReadonlyMap<string, { readonly spec?: Spec }>;
}
