"""What the page and anybody else can ask of the studio over HTTP: one router per feature."""
