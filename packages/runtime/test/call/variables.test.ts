import { callScope } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { createVariables } from "#variables";

import "@glovebox/testkit/matchers";

const MIB = 1_048_576;

async function valueOf(
  variables: ReturnType<typeof createVariables>,
  scope = callScope(),
  key = "k",
) {
  const decision = await variables.get(scope, key);
  return decision.allowed ? decision.value : decision.code;
}

test("keeps copies, so that neither side can change what the other has", async () => {
  const variables = createVariables();
  const scope = callScope();
  const given = Buffer.from([1]);
  await variables.set(scope, "k", given);
  given[0] = 2;
  const got = await valueOf(variables, scope);
  expect(got).toEqual(new Uint8Array([1]));
  if (got instanceof Uint8Array) got[0] = 3;
  expect(await valueOf(variables, scope)).toEqual(new Uint8Array([1]));
});

test("keeps plugins and tenants apart, and forgets a plugin whole", async () => {
  const variables = createVariables();
  const acme = callScope({ pluginId: "a", tenantId: "acme" });
  await variables.set(acme, "k", new Uint8Array([1]));
  expect(await valueOf(variables, callScope({ pluginId: "a" }))).toBeUndefined();
  expect(await valueOf(variables, callScope({ pluginId: "b", tenantId: "acme" }))).toBeUndefined();
  variables.forget(acme.pluginId);
  expect(await valueOf(variables, acme)).toBeUndefined();
});

test("bounds a tenant's bytes and gives space back when a variable goes", async () => {
  const variables = createVariables();
  const scope = callScope();
  expect(await variables.set(scope, "big", new Uint8Array(MIB))).toRefuse("RUNTIME_VARIABLE_QUOTA");
  expect(await variables.set(scope, "a", new Uint8Array(MIB / 2))).toMatchObject({ allowed: true });
  expect(await variables.set(scope, "b", new Uint8Array(MIB / 2))).toRefuse(
    "RUNTIME_VARIABLE_QUOTA",
  );
  await variables.set(scope, "a", undefined);
  expect(await variables.set(scope, "b", new Uint8Array(MIB / 2))).toMatchObject({ allowed: true });
  expect(await variables.set(scope, "b", new Uint8Array(10))).toMatchObject({ allowed: true });
});

test("bounds the number of variables, also of empty ones", async () => {
  const variables = createVariables();
  const scope = callScope();
  for (let at = 0; at < 1_024; at += 1) await variables.set(scope, `k${at}`, new Uint8Array(0));
  expect(await variables.set(scope, "more", new Uint8Array(0))).toRefuse("RUNTIME_VARIABLE_QUOTA");
});

test("bounds what a flood of tenants can make a plugin take, and recovers from it", async () => {
  const variables = createVariables();
  const fill = (tenant: number, value: Uint8Array | undefined) =>
    variables.set(callScope({ tenantId: `t${tenant}` }), "k", value);
  const block = new Uint8Array(MIB - 1_000);
  let tenants = 0;
  while ((await fill(tenants, block)).allowed) tenants += 1;
  expect(tenants).toBe(64);
  for (let tenant = 0; tenant < tenants; tenant += 1) await fill(tenant, undefined);
  expect(await fill(999, block)).toMatchObject({ allowed: true });
});
