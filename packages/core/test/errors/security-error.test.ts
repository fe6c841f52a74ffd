import { CORE_ERRORS, CoreError, SecurityError } from "@glovebox/core/errors";
import { JsonError } from "@glovebox/core/json";
import { describe, expect, it } from "vitest";

const TABLE = { DEMO_BROKEN: { summary: "It is broken.", advice: "Mend it." } } as const;

/** A class as two copies of a package would each define it. */
function copyOfDemoError() {
  return class DemoError extends SecurityError<"DEMO_BROKEN"> {
    static override readonly brand: symbol = Symbol.for("@glovebox/demo/DemoError");

    constructor(message?: string) {
      super("DEMO_BROKEN", TABLE.DEMO_BROKEN, message === undefined ? {} : { message });
    }
  };
}

describe("SecurityError across two copies of a package", () => {
  const First = copyOfDemoError();
  const Second = copyOfDemoError();

  it("is recognised by the other copy's class", () => {
    expect(First).not.toBe(Second);
    expect(new First()).toBeInstanceOf(Second);
    expect(new Second()).toBeInstanceOf(First);
    expect(new First()).toBeInstanceOf(SecurityError);
    expect(new First()).toBeInstanceOf(Error);
  });

  it("is not recognised by another class of the family", () => {
    expect(new First() instanceof CoreError).toBe(false);
    expect(new CoreError("CORE_OPTION") instanceof First).toBe(false);
    expect(new CoreError("CORE_OPTION") instanceof JsonError).toBe(false);
    expect(new JsonError("JSON_VALUE")).toBeInstanceOf(CoreError);
  });

  it("does not take a plain error, a look-alike or a primitive for its own", () => {
    for (const stranger of [new Error("x"), { code: "DEMO_BROKEN" }, null, "DEMO_BROKEN"]) {
      expect(stranger instanceof First).toBe(false);
    }
  });
});

describe("the messages of a SecurityError", () => {
  it("keep the operator's message from the plugin", () => {
    const error = new CoreError("CORE_OPTION", { message: "in /srv/secret.json: maxDepth is -1" });
    expect(error.message).toContain("/srv/secret.json");
    expect(error.publicMessage).toBe(CORE_ERRORS.CORE_OPTION.summary);
  });

  it("default to the summary of the code, and carry cause and frozen details", () => {
    const cause = new Error("first");
    const error = new CoreError("CORE_OPTION", { cause, details: { option: "burst" } });
    expect(error).toMatchObject({
      name: "CoreError",
      code: "CORE_OPTION",
      message: CORE_ERRORS.CORE_OPTION.summary,
      cause,
      details: { option: "burst" },
    });
    expect(Object.isFrozen(error.details)).toBe(true);
    expect("cause" in new CoreError("CORE_OPTION")).toBe(false);
  });
});
