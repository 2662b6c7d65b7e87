// Reads an OpenAPI document from a URL and says what is wrong with it. 0 where all is well.
import { Validator } from "@seriousme/openapi-schema-validator";

const document = await (await fetch(process.argv[2])).json();
const result = await new Validator().validate(document);
if (!result.valid) {
  console.error(JSON.stringify(result.errors, null, 1));
  process.exit(1);
}
console.log(`valid ${document.openapi}`);
