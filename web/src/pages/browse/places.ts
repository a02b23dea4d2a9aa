import { useMemo } from "react";
import type { Places } from "../../components/foreign";
import { contentUrl } from "./content";
import { useDocument, type ViewProps } from "./item";
import { attachmentOf, attachmentPaths, placeAddress, workItemOf } from "./links";
import { textAt } from "./records";

/** Where the attachments of a work item are in the snapshot. */
export function useAttachmentPaths({ snapshot, item }: ViewProps): (guid: string) => string | undefined {
  const shared = item.parts.find(({ name }) => name === "shared-attachments.json");
  const { document } = useDocument(snapshot.id, shared?.path);
  return useMemo(() => attachmentPaths(item.parts, document), [item.parts, document]);
}

/** Images and links in a work item's texts, as far as they are in the snapshot. */
export function usePlaces(props: ViewProps): Required<Places> {
  const { snapshot, document } = props;
  const pathOf = useAttachmentPaths(props);
  const own = textAt(document, "/url");
  return useMemo(
    () => ({
      image: (source) => {
        const guid = attachmentOf(source);
        const path = guid === undefined ? undefined : pathOf(guid);
        return path === undefined ? undefined : contentUrl(snapshot.id, path);
      },
      link: (address) => {
        const id = workItemOf(address, own);
        return id === undefined ? undefined : placeAddress(snapshot.id, { kind: "work-item", item: id });
      },
    }),
    [snapshot.id, own, pathOf],
  );
}
