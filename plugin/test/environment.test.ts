import { expect, test } from "bun:test"
import { secretsIn } from "../src/redaction/environment"

test("the working folder is no password, though its variable is called like one", () => {
  const variables = { PWD: "/data2/projects/shop", OLDPWD: "/c/Users/ada/shop", DB_PWD: "horse7battery!" }
  expect(secretsIn(variables)).toEqual([["horse7battery!", "environment-variable"]])
})
