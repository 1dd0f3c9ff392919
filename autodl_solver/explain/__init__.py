"""What a run did, for people: read its folder, print a timeline, write a page."""
