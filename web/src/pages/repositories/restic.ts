import { quoted } from "../../components/quoted";
import { parse, type Place } from "./location";

/** The place as `restic --repo` takes it. */
function address(place: Place): string {
  switch (place.storage) {
    case "folder":
      return place.path;
    case "azure":
      return `azure:${place.bucket}:/${place.prefix}`;
    case "gs":
      return `gs:${place.bucket}:/${place.prefix}`;
    case "s3": {
      const own = place.region ? `https://s3.${place.region}.amazonaws.com` : "https://s3.amazonaws.com";
      return `s3:${place.endpoint || own}/${place.bucket}${place.prefix && `/${place.prefix}`}`;
    }
  }
}

/** What opens the storage: names of variables, never values, since Keepward shows no secret. */
function opener(place: Place): string[] {
  switch (place.storage) {
    case "folder":
      return [];
    case "s3":
      return ["export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…"];
    case "azure":
      return [`export AZURE_ACCOUNT_NAME=${quoted(place.account)} AZURE_ACCOUNT_KEY=…`];
    case "gs":
      return ["export GOOGLE_APPLICATION_CREDENTIALS=…"];
  }
}

/** How to read a repository with restic alone, a command a line, for a POSIX shell. */
export function restic(location: string): string[] {
  const place = parse(location);
  return [
    ...opener(place),
    `export RESTIC_REPOSITORY=${quoted(address(place))}`,
    "export RESTIC_PASSWORD_FILE=password.txt",
    "restic snapshots",
    "restic restore latest --target out",
  ];
}
