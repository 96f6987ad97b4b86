import { type Batch, hasEnded } from '../api-types.ts';
import { count, milliseconds, percent } from '../format.ts';
import { TableFrame } from '../parts/frame.tsx';
import { Usd } from '../parts/values.tsx';

type Model = NonNullable<Batch['models']>[number];

/** What each model of the cascade was asked, what it answered, how fast it was, and what that cost. */
export function TierFlow({ batch }: { readonly batch: Batch }) {
  const { models, documents } = batch;
  const ended = hasEnded(batch);
  return (
    <section>
      <h2>Models</h2>
      {models === undefined ? (
        <p class="quiet">{ended ? 'No call of a model is known.' : 'Not known yet: no slice is done.'}</p>
      ) : (
        <>
          {!ended && <p class="quiet">Of the slices that are done, at most the first 200.</p>}
          <TableFrame label="models">
            <table>
              <thead>
                <tr>
                  <th scope="col">Tier</th>
                  <th scope="col">Model</th>
                  <th scope="col" class="number">
                    Calls
                  </th>
                  <th scope="col">Documents answered</th>
                  <th scope="col" class="number">
                    <abbr title="half of the calls took no longer">p50</abbr>
                  </th>
                  <th scope="col" class="number">
                    <abbr title="95 of 100 calls took no longer">p95</abbr>
                  </th>
                  <th scope="col" class="number">
                    <abbr title="until the first byte of the response, in half of the calls at most">First byte</abbr>
                  </th>
                  <th scope="col" class="number">
                    <abbr title="until the first byte of the response, in 95 of 100 calls at most">its p95</abbr>
                  </th>
                  <th scope="col" class="number">
                    Tokens/s
                  </th>
                  <th scope="col" class="number">
                    Cost
                  </th>
                </tr>
              </thead>
              <tbody>
                {models.map((model) => (
                  <ModelRow
                    key={`${model.tier} ${model.model} ${model.provider}`}
                    model={model}
                    total={documents.total}
                  />
                ))}
              </tbody>
            </table>
          </TableFrame>
        </>
      )}
    </section>
  );
}

function ModelRow({ model: row, total }: { readonly model: Model; readonly total: number }) {
  const { tier, part, model, provider, calls, accepted, p50Ms, p95Ms, firstByteP50Ms, firstByteP95Ms } = row;
  const { tokensPerSecond, costUsd } = row;
  return (
    <tr>
      <td data-label="tier">{part === null || part === 'cascade' ? tier + 1 : part}</td>
      <th scope="row">
        {model} {provider !== null && <span class="quiet">at {provider}</span>}
      </th>
      <td class="number" data-label="calls">
        {count(calls)}
      </td>
      <td>
        <span class="progress">
          <progress max={Math.max(1, total)} value={accepted} aria-label={`documents that ${model} answered`} />
          <span class="nowrap">
            {count(accepted)} <span class="quiet">({percent(accepted, total)})</span>
          </span>
        </span>
      </td>
      <td class="number nowrap" data-label="p50">
        {milliseconds(p50Ms)}
      </td>
      <td class="number nowrap" data-label="p95">
        {milliseconds(p95Ms)}
      </td>
      <td class="number nowrap" data-label="first byte, p50">
        {milliseconds(firstByteP50Ms)}
      </td>
      <td class="number nowrap" data-label="first byte, p95">
        {milliseconds(firstByteP95Ms)}
      </td>
      <td class="number" data-label="tokens/s">
        {tokensPerSecond === null ? '–' : count(tokensPerSecond)}
      </td>
      <td class="number" data-label="cost">
        <Usd amount={costUsd} />
      </td>
    </tr>
  );
}
