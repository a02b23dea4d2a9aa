import { Link } from "@fluentui/react-components";
import { createLink } from "@tanstack/react-router";
import type { ComponentType, ReactNode } from "react";

interface Props {
  /** A route, with the names of its parameters: `/runs/$id`. */
  to: string;
  params?: Record<string, string>;
  search?: Record<string, unknown>;
  inline?: boolean;
  className?: string;
  children: ReactNode;
}

/** A link to another page of the console, in the look of the others. */
export const TextLink = createLink(Link) as unknown as ComponentType<Props>;
