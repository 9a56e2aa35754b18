"""vmadm: a filter that fills addresses into a payload on its way to ``vmadm create`` or ``vmadm update``."""
