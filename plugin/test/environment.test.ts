import { expect, test } from "bun:test"
import { secretsIn } from "../src/redaction/environment"

test("the working folder is no password, though its variable is called like one", () => {
  const variables = { PWD: "/data2/projects/shop", OLDPWD: "/c/Users/ada/shop", DB_PWD: "horse7battery!" }
  expect(secretsIn(variables)).toEqual([["horse7battery!", "environment-variable"]])
})

test("what a key sorts or finds rows by is no secret, unlike other keys", () => {
  const shown = {
    PRIMARY_KEY: "organization_id",
    SORT_KEY: "created_at_descending",
    USERS_PARTITION_KEY: "tenant#region",
    VITE_PUBLIC_MAPS_KEY: "maps-of-the-shop",
  }
  const variables = {
    ...shown,
    FLASK_KEY: "horse battery staple",
    KEY: "another battery",
    SORT_API_KEY: "horse7battery!",
  }
  expect(secretsIn(variables).map(([value]) => value)).toEqual([
    "horse battery staple",
    "another battery",
    "horse7battery!",
  ])
})
