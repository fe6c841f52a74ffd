import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { TestkitError } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import { describe, expect, test } from "vitest";

const error = new TestkitError("TESTKIT_CLOCK");
const fail = (): never => {
  throw error;
};
const failLater = async (): Promise<void> => fail();
const refusal: Decision<string> = refuse("BROKER_HOST_NOT_GRANTED", "network.hosts", "not listed");

describe("toThrowCode", () => {
  test("accepts a function that throws, an asynchronous one, a rejected promise, the error", async () => {
    expect(fail).toThrowCode("TESTKIT_CLOCK");
    await expect(failLater).toThrowCode("TESTKIT_CLOCK");
    await expect(failLater()).toThrowCode("TESTKIT_CLOCK");
    await expect(failLater()).rejects.toThrowCode("TESTKIT_CLOCK");
    expect(error).toThrowCode("TESTKIT_CLOCK");
  });

  test("fails on another code, and says which came", async () => {
    expect(() => expect(fail).toThrowCode("TESTKIT_WAT")).toThrow(
      /received: TestkitError TESTKIT_CLOCK/,
    );
    await expect(async () => expect(failLater()).toThrowCode("TESTKIT_WAT")).rejects.toThrow(
      /expected an error with code TESTKIT_WAT/,
    );
  });

  test("fails on an error without a code, also when its message names the code", () => {
    const plain = (): never => {
      throw Object.assign(new Error("TESTKIT_CLOCK"), { code: "TESTKIT_CLOCK" });
    };
    expect(() => expect(plain).toThrowCode("TESTKIT_CLOCK")).toThrow(/Error without a code/);
  });

  test("fails when nothing is thrown, and points at a refusal that was returned", async () => {
    expect(() => expect(() => 1).toThrowCode("TESTKIT_CLOCK")).toThrow(/nothing was thrown/);
    expect(() => expect(() => refusal).toThrowCode("TESTKIT_CLOCK")).toThrow(/use toRefuse/);
    await expect(async () =>
      expect(Promise.resolve(1)).toThrowCode("TESTKIT_CLOCK"),
    ).rejects.toThrow(/nothing was thrown/);
    expect(() => expect("text").toThrowCode("TESTKIT_CLOCK")).toThrow(/received: "text"/);
  });

  test("can be negated", () => {
    expect(fail).not.toThrowCode("TESTKIT_WAT");
    expect(() => expect(fail).not.toThrowCode("TESTKIT_CLOCK")).toThrow(/anything but an error/);
  });
});

describe("toRefuse", () => {
  test("accepts a refusal and the promise of one", async () => {
    expect(refusal).toRefuse("BROKER_HOST_NOT_GRANTED");
    await expect(Promise.resolve(refusal)).toRefuse("BROKER_HOST_NOT_GRANTED");
    await expect(Promise.resolve(refusal)).resolves.toRefuse("BROKER_HOST_NOT_GRANTED");
  });

  test("fails on an allowance, another code, or what is no decision", async () => {
    expect(() => expect(allow("rule", 1)).toRefuse("X")).toThrow(/no whole refusal/);
    expect(() => expect(refusal).toRefuse("X")).toThrow(
      /BROKER_HOST_NOT_GRANTED \(network\.hosts\)/,
    );
    expect(() => expect(undefined).toRefuse("X")).toThrow(/no decision: nothing/);
    await expect(async () =>
      expect(Promise.resolve(allow("rule", 1))).toRefuse("X"),
    ).rejects.toThrow(/no whole refusal/);
  });

  test("fails on a refusal that does not say which rule spoke and why", () => {
    const bare = { allowed: false, code: "X", rule: "", reason: "" };
    expect(() => expect(bare).toRefuse("X")).toThrow(/no whole refusal/);
  });

  test("can be negated", () => {
    expect(refusal).not.toRefuse("X");
  });
});
