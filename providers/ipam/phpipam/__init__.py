"""phpIPAM keeps the truth, and is asked over its REST API.

=============  ==========================================================
``provider``   what the address book calls
``addresses``  looking up, making, changing and removing address rows
``fields``     which of our fields is which of phpIPAM's; our mark
``sections``   sections, folders and subnets as groups and subnets
``api``        one call with its token, tried again where that is safe
``login``      one log-in for all threads and processes
``answers``    what phpIPAM's answers mean, odd ones included
``settings``   ``externalipam_phpipam.yml``
=============  ==========================================================
"""
