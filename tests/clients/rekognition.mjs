// What a program in JavaScript does with Rekognition, and prints of it. Its one argument is JSON: photos by person.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const installed = createRequire(`${process.cwd()}/`).resolve("@aws-sdk/client-rekognition");
const sdk = await import(pathToFileURL(installed));
const client = new sdk.RekognitionClient({ maxAttempts: 1 });
const photos = JSON.parse(process.argv[2]);
const CollectionId = "staff";
const faces = {};
const told = { found: {}, foundUsers: {}, listed: [], pages: 0 };

await client.send(new sdk.CreateCollectionCommand({ CollectionId }));
for (const [person, [photo]] of Object.entries(photos)) {
  const Image = { Bytes: await readFile(photo) };
  const { FaceRecords } = await client.send(new sdk.IndexFacesCommand({ CollectionId, Image }));
  faces[person] = FaceRecords[0].Face.FaceId;
}
for await (const page of sdk.paginateListFaces({ client, pageSize: 1 }, { CollectionId })) {
  told.pages += 1;
  told.listed.push(...page.Faces.map((face) => face.FaceId));
}
for (const [person, [, photo]] of Object.entries(photos)) {
  const Image = { Bytes: await readFile(photo) };
  const search = new sdk.SearchFacesByImageCommand({ CollectionId, Image, MaxFaces: 1 });
  told.found[person] = (await client.send(search)).FaceMatches.map((match) => match.Face.FaceId);
}
for (const UserId of Object.values(faces)) {
  await client.send(new sdk.CreateUserCommand({ CollectionId, UserId }));
  await client.send(new sdk.AssociateFacesCommand({ CollectionId, UserId, FaceIds: [UserId] }));
}
for (const [person, [, photo]] of Object.entries(photos)) {
  const Image = { Bytes: await readFile(photo) };
  const search = new sdk.SearchUsersByImageCommand({ CollectionId, Image, MaxUsers: 1 });
  told.foundUsers[person] = (await client.send(search)).UserMatches.map((match) => match.User.UserId);
}
const [gone, kept] = Object.values(faces);
await client.send(new sdk.DeleteUserCommand({ CollectionId, UserId: gone }));
const { Users } = await client.send(new sdk.ListUsersCommand({ CollectionId }));
told.keptUsers = [Users.map((user) => user.UserId), [kept]];
await client.send(new sdk.DeleteUserCommand({ CollectionId, UserId: kept }));
const described = await client.send(new sdk.DescribeCollectionCommand({ CollectionId }));
told.created = described.CreationTimestamp.toISOString();
const FaceIds = Object.values(faces);
told.deleted = (await client.send(new sdk.DeleteFacesCommand({ CollectionId, FaceIds }))).DeletedFaces;
await client.send(new sdk.DeleteCollectionCommand({ CollectionId }));
try {
  await client.send(new sdk.DescribeCollectionCommand({ CollectionId }));
} catch (error) {
  told.missing = [error instanceof sdk.ResourceNotFoundException, error.message];
}
const credentials = { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: "wrong" };
try {
  await new sdk.RekognitionClient({ credentials, maxAttempts: 1 }).send(new sdk.ListCollectionsCommand({}));
} catch (error) {
  told.refused = error.name;
}
console.log(JSON.stringify({ ...told, faces }));
